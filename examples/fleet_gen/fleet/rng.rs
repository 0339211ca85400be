//! SplitMix64: the same numbers from the same seed on every machine.

pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = Self(seed ^ stream.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        rng.next();
        rng
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from `low` up to and with `high`.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    pub fn chance(&mut self, rate: f64) -> bool {
        ((self.next() >> 11) as f64) / ((1u64 << 53) as f64) < rate
    }

    /// An LVM UUID, with its dashes.
    pub fn lvm_uuid(&mut self) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut uuid = String::with_capacity(38);
        for at in 0..32 {
            if (6..30).contains(&at) && (at - 6) % 4 == 0 {
                uuid.push('-');
            }
            uuid.push(char::from(LETTERS[self.next() as usize % LETTERS.len()]));
        }
        uuid
    }

    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|_| char::from(b"0123456789abcdef"[self.next() as usize % 16]))
            .collect()
    }
}
