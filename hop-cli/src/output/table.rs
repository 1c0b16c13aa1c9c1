//! Tables for people.

use std::io;

use hop_core::escape_controls;

/// Writes rows below a header, each column as wide as its longest cell, without spaces at the ends of lines.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> io::Result<()> {
    let rows: Vec<[String; N]> = std::iter::once(header.map(str::to_owned))
        .chain(rows.iter().map(|row| row.clone().map(|cell| escape_controls(&cell).into_owned())))
        .collect();
    let widths: Vec<usize> =
        (0..N).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()).collect();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
            .collect();
        super::line(cells.join("  ").trim_end())?;
    }
    Ok(())
}
