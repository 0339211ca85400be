//! Options that bound what is read of one input, for every subcommand that
//! reads bundles.

use clap::Args;

use crate::bundle::Limits;

/// How much of one input is read before it is refused.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits on each input")]
pub struct LimitArgs {
    /// Refuse an archive larger than this as it lies on disk
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = size)]
    pub max_archive: u64,

    /// Refuse an input with more bytes than this when unpacked
    ///
    /// Several bundles in one archive may have half of it.
    #[arg(long, value_name = "SIZE", default_value = "128M", value_parser = size)]
    pub max_total: u64,

    /// Leave out a file of a bundle that is larger than this
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = size)]
    pub max_file: u64,

    /// Refuse an archive with more members than this, or a folder with more files
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub max_entries: usize,

    /// Refuse an archive that is this many times its own size when unpacked
    ///
    /// Looked at once more than 16M were unpacked.
    #[arg(long, value_name = "N", default_value_t = 200,
        value_parser = clap::value_parser!(u64).range(1..))]
    pub max_ratio: u64,
}

impl LimitArgs {
    /// The limits as the bundle reader takes them.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            archive_bytes: self.max_archive,
            total_bytes: self.max_total,
            file_bytes: self.max_file,
            entries: self.max_entries,
            ratio: self.max_ratio,
            ..Limits::default()
        }
    }
}

/// A number of bytes: `4096`, `64K`, `64M`, `1G` (powers of 1024).
fn size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 10),
        Some((at, 'm' | 'M')) => (&text[..at], 20),
        Some((at, 'g' | 'G')) => (&text[..at], 30),
        _ => (text, 0),
    };
    digits
        .parse::<u64>()
        .ok()
        .filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| "expected a size like 4096, 64K, 64M or 1G".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Probe {
        #[command(flatten)]
        limits: LimitArgs,
    }

    #[test]
    fn the_options_defaults_are_the_readers() {
        assert_eq!(Probe::parse_from(["x"]).limits.limits(), Limits::default());
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("2k", 2048),
            ("64M", 64 << 20),
            ("1G", 1 << 30),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "M",
            "-1",
            "+1",
            "1.5G",
            "1T",
            "64MB",
            "99999999999G",
            "1é",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
