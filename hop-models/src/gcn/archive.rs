//! Files that hold several circulars or notices, as GCN's archive has them: a line of slashes between one and the next.

use std::ops::Range;

/// Where each message stands in a file, blank ones left out.
///
/// A line of ten slashes or more ends a message. So does one with which another begins, told by `begins` from the line and
/// what follows it.
pub(super) fn pieces(file: &[u8], begins: fn(&[u8], &[u8]) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < file.len() {
            let start = at;
            let mut end = file.len();
            while at < file.len() {
                let next = memchr::memchr(b'\n', &file[at..]).map_or(file.len(), |length| at + length + 1);
                let line = &file[at..next];
                if is_rule(line) {
                    end = at;
                    at = next;
                    break;
                }
                if at > start && begins(line, &file[next..]) && !is_blank(&file[start..at]) {
                    end = at;
                    break;
                }
                at = next;
            }
            if !is_blank(&file[start..end]) {
                return Some(start..end);
            }
        }
        None
    })
}

fn is_rule(line: &[u8]) -> bool {
    const SHORTEST: usize = 10;
    let line = line.trim_ascii();
    line.len() >= SHORTEST && line.iter().all(|byte| *byte == b'/')
}

fn is_blank(text: &[u8]) -> bool {
    text.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        pieces(text.as_bytes(), |line, _| line.starts_with(b"T:")).map(|range| &text[range]).collect()
    }

    #[test]
    fn rules_and_beginnings_part_messages() {
        assert_eq!(split("\n/////////////\na\nb\n///////////// \r\n\n//////////\nc"), ["a\nb\n", "c"]);
        assert_eq!(split("T:1\nx\n\nT:2\n"), ["T:1\nx\n\n", "T:2\n"]);
        assert_eq!(split("\n\nT:1\n"), ["\n\nT:1\n"]);
        assert_eq!(split("/////\n"), ["/////\n"]);
        assert!(split(" \n").is_empty());
    }
}
