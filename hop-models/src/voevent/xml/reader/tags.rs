//! Start tags with their attributes, and end tags.

use std::collections::HashSet;

use hop_core::Error;

use super::{Open, Reader};
use crate::voevent::xml::chars::{self, SPACE, VALUE_STOP};
use crate::voevent::xml::{Kind, Name};

/// Up to this many attributes of one element are compared with each other; beyond, by hashing.
const WALKED: usize = 16;

impl Reader<'_> {
    pub(super) fn start_tag(&mut self) -> Result<(), Error> {
        let tag = self.at;
        if self.open.len() >= self.deepest {
            return Err(self.limit(format!("elements at most {} deep", self.deepest), "depth"));
        }
        self.at += 1;
        let (start, end) = self.name("the name of an element")?;
        let node = self.nodes.len();
        self.push_node(Kind::Element, start, end, 0)?;
        let first = self.attributes.len();
        loop {
            let spaced = self.space();
            match self.peek() {
                Some(b'>') => {
                    self.at += 1;
                    self.open.push(Open { node, has_text: false });
                    break;
                }
                Some(b'/') => {
                    self.at += 1;
                    if self.peek() != Some(b'>') {
                        return Err(self.error("`>` after `/`"));
                    }
                    self.at += 1;
                    self.close(node);
                    break;
                }
                Some(_) if spaced => self.attribute()?,
                Some(_) => return Err(self.error("white space, `/>` or `>`")),
                None => {
                    self.at = tag;
                    return Err(self.error("a tag that is closed with `>`"));
                }
            }
        }
        self.attributes_differ(first)
    }

    pub(super) fn attribute(&mut self) -> Result<(), Error> {
        self.count()?;
        let (name_start, name_end) = self.name("an attribute, `/>` or `>`")?;
        self.space();
        if self.peek() != Some(b'=') {
            return Err(self.error("`=` and a value in quotes after the name of the attribute"));
        }
        self.at += 1;
        self.space();
        let quote = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => quote,
            _ => return Err(self.error("a quote before the value of the attribute")),
        };
        let opened = self.at;
        self.at += 1;
        let value_start = self.at;
        let mut escaped = false;
        loop {
            self.run(|byte| !chars::is(byte, VALUE_STOP));
            match self.peek() {
                Some(byte) if byte == quote => break,
                Some(b'"' | b'\'') => self.at += 1,
                Some(b'<') => return Err(self.error("`&lt;` or the closing quote in the value of an attribute")),
                Some(b'&') => {
                    escaped = true;
                    self.reference()?;
                }
                Some(_) => {
                    escaped = true;
                    self.at += 1;
                }
                None => {
                    self.at = opened;
                    return Err(self.error("a value with a closing quote"));
                }
            }
        }
        let value_end = self.at;
        self.at += 1;
        self.attributes.push(Name {
            name_start: name_start as u32,
            name_end: name_end as u32,
            value_start: value_start as u32,
            value_end: value_end as u32,
            escaped,
        });
        Ok(())
    }

    /// Refuses an attribute that comes twice among those from `first` on.
    pub(super) fn attributes_differ(&mut self, first: usize) -> Result<(), Error> {
        let text = self.text;
        let name = |attribute: &Name| &text[attribute.name_start as usize..attribute.name_end as usize];
        let these = &self.attributes[first..];
        let twice = if these.len() <= WALKED {
            these.iter().enumerate().find(|(at, this)| these[..*at].iter().any(|other| name(other) == name(this)))
        } else {
            let mut seen = HashSet::with_capacity(these.len());
            these.iter().enumerate().find(|(_, this)| !seen.insert(name(this)))
        };
        match twice {
            None => Ok(()),
            Some((_, attribute)) => {
                self.at = attribute.name_start as usize;
                Err(self.error("each attribute once"))
            }
        }
    }

    pub(super) fn end_tag(&mut self) -> Result<(), Error> {
        let Some(open) = self.open.last() else { return Err(self.error("a start tag")) };
        let node = open.node;
        let (start, end) = self.nodes.get(node).map_or((0, 0), |node| (node.start as usize, node.end as usize));
        let name = &self.text[start..end];
        let rest = &self.text[self.at + 2..];
        let ends =
            rest.starts_with(name) && rest.get(name.len()).is_none_or(|byte| chars::is(*byte, SPACE) || *byte == b'>');
        if !ends {
            return Err(self.unfinished());
        }
        self.at += 2 + name.len();
        self.space();
        if self.peek() != Some(b'>') {
            return Err(self.error("`>` at the end of the tag"));
        }
        self.at += 1;
        self.open.pop();
        self.close(node);
        Ok(())
    }
}
