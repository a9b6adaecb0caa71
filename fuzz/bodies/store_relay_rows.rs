//! Rows of a relay server, and what a slot of bodies decrypts to, that a disk
//! gives back otherwise than they were written.

use hushwing_store::Cell;
use hushwing_store::relay_server_check::{check_message, check_queue};

/// Byte of count, so many cells, and the slot.
pub(crate) fn run(data: &[u8]) {
    let Some((count, mut rest)) = data.split_first() else {
        return;
    };
    let mut cells = Vec::new();
    for _ in 0..count % 12 {
        cells.extend(cell(&mut rest));
    }
    let _ = check_queue(&cells);
    let _ = check_message(&cells, rest);
}

/// Its kind, then eight bytes of number or a length and so many bytes.
fn cell<'a>(rest: &mut &'a [u8]) -> Option<Cell<'a>> {
    let [kind] = *take(rest, 1)? else { return None };
    Some(match kind % 5 {
        0 => Cell::Null,
        1 => Cell::Integer(i64::from_be_bytes(take(rest, 8)?.try_into().ok()?)),
        2 => Cell::Real(f64::from_be_bytes(take(rest, 8)?.try_into().ok()?)),
        kind => {
            let [length] = *take(rest, 1)? else {
                return None;
            };
            let bytes = take(rest, length.into())?;
            if kind == 3 {
                Cell::Text(bytes)
            } else {
                Cell::Blob(bytes)
            }
        }
    })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}
