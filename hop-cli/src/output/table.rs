//! Tables for people.

use std::io;

use hop_core::escape_controls;

/// Prints rows under a header, each column as wide as its widest cell; numbers stand to the right.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> io::Result<()> {
    let shown: Vec<[String; N]> =
        rows.iter().map(|row| row.each_ref().map(|cell| escape_controls(cell).into())).collect();
    let width = |column: usize| {
        let cells = shown.iter().map(|row| row[column].chars().count());
        cells.chain([header[column].len()]).max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let mut line = String::new();
        for (at, cell) in cells.into_iter().enumerate() {
            let space = " ".repeat(widths[at].saturating_sub(cell.chars().count()));
            let is_number = shown.iter().all(|row| row[at].bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'));
            let (before, after) = if is_number { (space.as_str(), "") } else { ("", space.as_str()) };
            line.push_str(if at == 0 { "" } else { "  " });
            line.push_str(before);
            line.push_str(cell);
            line.push_str(after);
        }
        super::line(line.trim_end())
    };
    line(header)?;
    shown.iter().try_for_each(|row| line(row.each_ref().map(String::as_str)))
}
