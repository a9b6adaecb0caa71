//! Rule: prose is wrapped, so that a change of it reads as a change of some lines.

/// The numbers, from 1, of the lines of Markdown that are prose and have more characters than
/// `widest`. Tables, headings and what stands in fences are as wide as they have to be, and so
/// is a line that could not be broken.
pub(super) fn too_wide(text: &str, widest: usize) -> Vec<usize> {
    let mut fenced = false;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let start = line.trim_start();
        if start.starts_with("```") {
            fenced = !fenced;
        }
        let prose = !fenced && !start.starts_with(['|', '#']);
        if prose && line.chars().count() > widest && breaks(start, widest) {
            found.push(number + 1);
        }
    }
    found
}

/// Whether `line` has a space before its place `widest`, its mark of a list aside.
fn breaks(line: &str, widest: usize) -> bool {
    let words = line.trim_start_matches(['-', '*', '>', ' ']);
    words
        .char_indices()
        .take(widest)
        .any(|(_, character)| character == ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [usize; 0] = [];

    #[test]
    fn prose_is_wrapped() {
        assert_eq!(too_wide("12345 789\n", 9), NONE);
        assert_eq!(too_wide("12345 7890\n", 9), [1]);
        assert_eq!(too_wide("ä234567 9\n- a bcdefghi\n", 9), [2]);
    }

    #[test]
    fn tables_headings_and_fences_are_not() {
        assert_eq!(too_wide("| a | b | c |\n# a heading\n", 9), NONE);
        assert_eq!(too_wide("```text\na long line\n```\na long line\n", 9), [4]);
    }

    #[test]
    fn a_line_that_cannot_be_broken_is_not() {
        assert_eq!(too_wide("- [1234567890](1234567890)\n", 9), NONE);
    }
}
