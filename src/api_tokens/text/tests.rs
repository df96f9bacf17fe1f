use proptest::prelude::*;

use super::*;

#[test]
fn a_new_token_is_read_again_and_fits_itself_alone() {
    let (text, kept) = new();
    let text = text.expose();
    assert_eq!(text.len(), LENGTH);
    assert!(looks_like_one(text.as_bytes()));
    let claimed = read(text.as_bytes()).unwrap();
    assert_eq!(claimed.id, kept.id);
    assert!(claimed.secret.fits(&kept.secret));
    let (other, rotated) = with_id(kept.id);
    assert_ne!(other.expose(), text);
    assert!(!claimed.secret.fits(&rotated.secret));
}

/// Fixed for good: tokens are out there, and scanners know their form.
#[test]
fn the_form_stays() {
    let text = b"pst_000000000000_0000000000000000000000000000000000000000000";
    let whole = [text.as_slice(), &checksum_of(text)].concat();
    assert_eq!(
        str::from_utf8(&whole).unwrap(),
        "pst_000000000000_00000000000000000000000000000000000000000003LRl1p"
    );
    assert_eq!(read(&whole).unwrap().id.as_str(), "000000000000");
}

#[test]
fn any_changed_letter_is_noticed_without_a_look_up() {
    let (text, _) = new();
    let text = text.expose().as_bytes();
    for at in 0..LENGTH {
        for other in [b'0', b'a', b'_', b' ', 0, 0xff] {
            let mut changed = text.to_vec();
            changed[at] = other;
            assert!(changed == text || read(&changed).is_err(), "{at}");
        }
    }
    assert_eq!(read(&text[..LENGTH - 1]).unwrap_err(), NoToken::Shape);
    assert_eq!(read(&[text, b"\n"].concat()).unwrap_err(), NoToken::Shape);
    let mut swapped = text.to_vec();
    swapped.swap(LENGTH - CHECKSUM - 1, LENGTH - CHECKSUM - 2);
    assert!(swapped == text || read(&swapped).unwrap_err() == NoToken::Checksum);
}

#[test]
fn every_letter_is_drawn() {
    let drawn: std::collections::HashSet<u8> = (0..200).flat_map(|_| letters::<43>()).collect();
    assert_eq!(drawn.len(), 62);
}

#[test]
fn a_digest_is_kept_as_text_and_never_shown() {
    let (_, kept) = new();
    let text = serde_json::to_string(&kept.secret).unwrap();
    let again: SecretDigest = serde_json::from_str(&text).unwrap();
    assert!(again.fits(&kept.secret));
    assert_eq!(format!("{again:?}"), "SecretDigest(redacted)");
    for wrong in ["\"\"", "\"é\"", "1", "\"0\""] {
        assert!(serde_json::from_str::<SecretDigest>(wrong).is_err());
    }
}

proptest! {
    #[test]
    fn strangers_bytes_are_no_token(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(read(&bytes).is_err());
        prop_assert!(read(&[PREFIX.as_bytes(), &bytes].concat()).is_err());
    }
}
