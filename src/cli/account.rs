//! What `postern account list` and `postern account unpin` have in common.

use url::Url;

use crate::tenant::TenantId;

/// Where the daemon is asked about a tenant's pins.
pub fn pins_of(tenant: &TenantId) -> Url {
    format!("http://postern/pins/{tenant}")
        .parse()
        .expect("no tenant's name has anything that a URL could be read by")
}

/// A stranger's text for a terminal: letters and what else is plain stay, and the rest can't move the cursor or turn
/// the line around.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_alphanumeric() || letter.is_ascii_graphic() || letter == ' ' {
            shown.push(letter);
        } else {
            shown.extend(letter.escape_unicode());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_play_with_the_terminal_is_escaped() {
        assert_eq!(shown("zoë 7@example.com"), "zoë 7@example.com");
        assert_eq!(shown("\u{1b}[2Jada"), "\\u{1b}[2Jada");
        assert_eq!(shown("ada\u{202e}"), "ada\\u{202e}");
    }
}
