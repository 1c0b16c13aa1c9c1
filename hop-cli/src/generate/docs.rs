//! The words of a schema as documentation: what rustdoc would take for markup is plain text there.

/// The width of generated lines.
const WIDTH: usize = 100;

/// The lines of `text` as documentation, each behind `prefix`, which is `///` or `//!` with its indentation.
pub(super) fn lines(text: &str, prefix: &str, out: &mut String) {
    let width = WIDTH.saturating_sub(prefix.len() + 1).max(40);
    let mut first = true;
    for paragraph in paragraphs(text) {
        if !std::mem::take(&mut first) {
            out.push_str(prefix);
            out.push('\n');
        }
        for line in wrapped(&paragraph, width) {
            out.push_str(prefix);
            out.push(' ');
            out.push_str(&line);
            out.push('\n');
        }
    }
}

/// A name of the schema, as the sentence that says no more: on one line, whatever it is made of.
pub(super) fn code(name: &str) -> String {
    // Code between the marks needs something to stand there.
    if name.trim().is_empty() {
        return "Empty text.".to_owned();
    }
    let mut out = String::from("`");
    for character in name.chars() {
        match character {
            '`' => out.push('\''),
            '\'' | '"' | '\\' => out.push(character),
            other => out.extend(other.escape_debug()),
        }
    }
    out + "`."
}

/// The words of each paragraph, escaped. Empty lines part paragraphs.
fn paragraphs(text: &str) -> Vec<Vec<String>> {
    let mut paragraphs = vec![String::new()];
    for line in text.lines() {
        match (line.trim(), paragraphs.last_mut()) {
            ("", _) => paragraphs.push(String::new()),
            (line, Some(paragraph)) => {
                paragraph.push(' ');
                paragraph.push_str(line);
            }
            (_, None) => {}
        }
    }
    let words = paragraphs.iter().map(|paragraph| words(paragraph));
    words.filter(|words| !words.is_empty()).collect()
}

/// Words, and code between backticks whole.
fn words(paragraph: &str) -> Vec<String> {
    let text: String = paragraph.chars().filter_map(printable).collect();
    // Code is kept as code where the marks are plain and come in pairs.
    let ticks = text.matches('`').count();
    if ticks == 0 || ticks % 2 == 1 || text.contains("``") {
        return text.split_whitespace().map(|word| escaped(word, true)).collect();
    }
    let mut out: Vec<String> = Vec::new();
    let mut glued = false;
    for (at, piece) in text.split('`').enumerate() {
        if at % 2 == 1 {
            let code = format!("`{}`", piece.split_whitespace().collect::<Vec<_>>().join(" "));
            glue(&mut out, code, glued);
            glued = true;
            continue;
        }
        if piece.is_empty() {
            continue;
        }
        let starts_with_space = piece.starts_with(char::is_whitespace);
        let mut pieces = piece.split_whitespace().map(|word| escaped(word, false));
        if let Some(first) = pieces.next() {
            glue(&mut out, first, glued && !starts_with_space);
        }
        out.extend(pieces);
        glued = !piece.ends_with(char::is_whitespace);
    }
    out
}

fn glue(words: &mut Vec<String>, word: String, to_last: bool) {
    match words.last_mut() {
        Some(last) if to_last => last.push_str(&word),
        _ => words.push(word),
    }
}

/// Not what is unseen, or turns the direction of what follows.
fn printable(character: char) -> Option<char> {
    match character {
        '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' => None,
        control if control.is_control() => Some(' '),
        other => Some(other),
    }
}

/// A word that says itself: links, tags and emphasis are none; an address is one.
fn escaped(word: &str, ticks: bool) -> String {
    for scheme in ["https://", "http://", "ftp://"] {
        if let Some(at) = word.find(scheme) {
            let rest = &word[at..];
            let ends = |c: char| matches!(c, ',' | ';' | ')' | ']' | '}' | '"' | '\'' | '<' | '>' | '`');
            let end = rest.find(ends).unwrap_or(rest.len());
            let end = rest[..end].trim_end_matches(['.', ':', '!', '?']).len();
            let (before, address, after) = (&word[..at], &rest[..end], &rest[end..]);
            return format!("{}<{address}>{}", escaped(before, ticks), escaped(after, ticks));
        }
    }
    let mut out = String::with_capacity(word.len());
    for character in word.chars() {
        if matches!(character, '\\' | '[' | ']' | '<' | '>' | '*' | '|' | '&' | '$') || (character == '`' && ticks) {
            out.push('\\');
        }
        out.push(character);
    }
    // An underscore inside of a word is no emphasis.
    match out.strip_prefix('_') {
        Some(rest) => format!("\\_{rest}"),
        None => out,
    }
}

fn wrapped(words: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(plain_start(word)),
        }
    }
    lines
}

/// A word that starts a line, and no list, heading, quotation or rule.
fn plain_start(word: &str) -> String {
    let digits = word.chars().take_while(char::is_ascii_digit).count();
    if digits > 0 && word[digits..].starts_with(['.', ')']) {
        return format!("{}\\{}", &word[..digits], &word[digits..]);
    }
    let marks = ['-', '+', '#', '=', '~', ':'];
    if word.starts_with(marks) { format!("\\{word}") } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn documents(text: &str, expected: &str) {
        let mut out = String::new();
        lines(text, "///", &mut out);
        assert_eq!(out, expected);
    }

    #[test]
    fn what_looks_like_markup_is_text() {
        documents("Right ascension [deg], J2000", "/// Right ascension \\[deg\\], J2000\n");
        documents("Vec<f64> & *this* _one_", "/// Vec\\<f64\\> \\& \\*this\\* \\_one_\n");
        documents("- first\n- second", "/// \\- first - second\n");
        documents("1. a\n\n\n    indented is no code", "/// 1\\. a\n///\n/// indented is no code\n");
        documents("# No heading", "/// \\# No heading\n");
        documents("a ` alone", "/// a \\` alone\n");
        documents("", "");
    }

    #[test]
    fn addresses_are_links_and_code_stays_code() {
        documents(
            "see (https://gcn.nasa.gov/x_y), http://a.b/c.",
            "/// see (<https://gcn.nasa.gov/x_y>), <http://a.b/c>.\n",
        );
        documents("True, if `A * RATE[0] > 1`, else not", "/// True, if `A * RATE[0] > 1`, else not\n");
        documents("```\nfn main() {}\n```", "/// \\`\\`\\` fn main() {} \\`\\`\\`\n");
    }

    #[test]
    fn lines_are_short_and_no_line_starts_a_list() {
        let text = "word ".repeat(18) + "12) - # + two";
        let mut out = String::new();
        lines(&text, "    ///", &mut out);
        assert!(out.lines().count() == 2 && out.lines().all(|line| line.len() <= 100), "{out}");
        assert!(out.lines().nth(1).unwrap().starts_with("    /// 12\\) - #"), "{out}");
    }

    #[test]
    fn a_name_is_code_on_one_line() {
        for (name, shown) in [
            ("ra_deg", "`ra_deg`."),
            ("a\nb\u{202E}\u{7}", "`a\\nb\\u{202e}\\u{7}`."),
            ("it's `x` \"y\"", "`it's 'x' \"y\"`."),
            (" ", "Empty text."),
        ] {
            assert_eq!(code(name), shown);
        }
    }

    #[test]
    fn nothing_turns_the_text_around() {
        documents("a\u{202E}b\u{0}c", "/// ab c\n");
    }
}
