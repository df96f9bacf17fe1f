//! A rate as a tenant file writes it: `600/min`.

use std::{fmt, num::NonZeroU32, str::FromStr};

use governor::Quota;

/// The highest number before the unit. Refills are timed in whole nanoseconds: up to here what rounding takes from a
/// rate is a thousandth at most, and beyond it nothing is limited any more.
pub const MOST: u32 = 1_000_000;

/// So many in a unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    most: NonZeroU32,
    per: Per,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Per {
    Second,
    Minute,
    Hour,
}

impl Per {
    fn word(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "min",
            Self::Hour => "h",
        }
    }

    fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 60 * 60,
        }
    }
}

/// Why a text is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRate {
    /// It is written in another way.
    #[error("this is no rate")]
    Form,
    /// Zero would refuse everybody, and more than [`MOST`] nobody.
    #[error("the number must lie between 1 and {MOST}")]
    Number,
}

impl Rate {
    /// What a full bucket holds.
    #[must_use]
    pub fn most(self) -> u32 {
        self.most.get()
    }

    /// A bucket that holds all of it, and is refilled evenly: an empty one is full again after one unit.
    #[must_use]
    pub fn quota(self) -> Quota {
        match self.per {
            Per::Second => Quota::per_second(self.most),
            Per::Minute => Quota::per_minute(self.most),
            Per::Hour => Quota::per_hour(self.most),
        }
    }

    /// Whether whoever keeps to `self` keeps to `other` as well: neither at once nor in the long run more.
    #[must_use]
    pub fn is_within(self, other: Self) -> bool {
        let in_the_long_run = |rate: Self, unit: Per| u64::from(rate.most()) * unit.seconds();
        self.most <= other.most
            && in_the_long_run(self, other.per) <= in_the_long_run(other, self.per)
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    /// There is one way to write a rate: no spaces, no sign, no leading zero, no other names of the units.
    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let (number, unit) = text.split_once('/').ok_or(InvalidRate::Form)?;
        let units = [Per::Second, Per::Minute, Per::Hour];
        let per = units.into_iter().find(|per| per.word() == unit);
        let per = per.ok_or(InvalidRate::Form)?;
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || (number.starts_with('0') && number != "0") {
            return Err(InvalidRate::Form);
        }
        let most = number.parse().ok().filter(|most| *most <= MOST);
        let most = most.and_then(NonZeroU32::new).ok_or(InvalidRate::Number)?;
        Ok(Self { most, per })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.most, self.per.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_written_in_one_way() {
        for text in ["1/s", "600/min", "1000000/h"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "600",
            "/min",
            "600/",
            "600/m",
            "600/minute",
            "600/MIN",
            "600 /min",
            "600/ min",
            " 600/min",
            "+600/min",
            "-1/min",
            "0600/min",
            "00/min",
            "6e2/min",
            "6_00/min",
            "600/min/s",
            "٦/min",
            "600r/m",
        ] {
            assert_eq!(text.parse::<Rate>(), Err(InvalidRate::Form), "{text:?}");
        }
        for text in ["0/s", "1000001/h", "99999999999999999999/min"] {
            assert_eq!(text.parse::<Rate>(), Err(InvalidRate::Number), "{text:?}");
        }
    }

    #[test]
    fn a_rate_is_within_another_at_once_and_in_the_long_run() {
        let within = |one: &str, other: &str| {
            let rate = |text: &str| text.parse::<Rate>().unwrap();
            rate(one).is_within(rate(other))
        };
        for (one, other) in [("60/min", "60/min"), ("60/min", "61/min"), ("1/min", "1/s")] {
            assert!(within(one, other), "{one} {other}");
        }
        // As many in the long run, and more of them at once; fewer at once, and more in the long run.
        for (one, other) in [("60/min", "1/s"), ("1/s", "59/min"), ("61/min", "60/min")] {
            assert!(!within(one, other), "{one} {other}");
        }
    }
}
