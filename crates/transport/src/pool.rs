//! Buffers that are lent while bytes move and held by nobody while a
//! connection idles.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// A store of equal buffers. Taking from an empty pool allocates, giving back
/// to a full one frees, so the pool bounds what is kept, never what is in use.
pub(crate) struct Pool {
    size: usize,
    keep: usize,
    free: Mutex<Vec<Box<[u8]>>>,
}

impl Pool {
    /// A pool of buffers of `size` bytes that keeps at most `keep` unused.
    pub(crate) fn new(size: usize, keep: usize) -> Arc<Self> {
        Arc::new(Self {
            size,
            keep,
            free: Mutex::default(),
        })
    }

    /// A buffer with whatever its last user left in it.
    pub(crate) fn take(self: &Arc<Self>) -> Pooled {
        let kept = self
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let bytes = kept.unwrap_or_else(|| vec![0; self.size].into_boxed_slice());
        Pooled {
            bytes,
            home: Arc::clone(self),
        }
    }

    fn give_back(&self, bytes: Box<[u8]>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < self.keep {
            free.push(bytes);
        }
    }
}

/// A buffer on loan; dropping it gives it back.
pub(crate) struct Pooled {
    bytes: Box<[u8]>,
    home: Arc<Pool>,
}

impl Deref for Pooled {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        self.home.give_back(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_up_to_the_bound() {
        let pool = Pool::new(8, 2);
        let lent: Vec<_> = (0..5).map(|_| pool.take()).collect();
        assert!(lent.iter().all(|buffer| buffer.len() == 8));
        drop(lent);
        assert_eq!(pool.free.lock().unwrap().len(), 2);
        drop(pool.take());
        assert_eq!(pool.free.lock().unwrap().len(), 2);
    }
}
