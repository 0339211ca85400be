//! How many inputs are read at once, and in which order.

use rayon::prelude::*;

use super::input::Input;

/// Packed bytes that are read at once: what is rendered of them waits in
/// memory for its turn.
const AT_ONCE_BYTES: u64 = 4 << 20;

/// What is made of each item, in their order. All threads take the next item
/// in turn, so that those of a cluster are worked on at about the same time.
pub(super) fn in_turn<T: Sync, M: Send>(items: &[T], make: impl Fn(&T) -> M + Sync) -> Vec<M> {
    let mut made: Vec<(usize, M)> = items
        .iter()
        .enumerate()
        .par_bridge()
        .map(|(index, item)| (index, make(item)))
        .collect();
    made.sort_unstable_by_key(|(index, _)| *index);
    made.into_iter().map(|(_, made)| made).collect()
}

/// Inputs that are read at once: as many as keep all threads busy, and no
/// more packed bytes than a bound unless one alone has more.
pub(super) fn chunks<'a, T>(
    reads: &'a [(usize, T)],
    inputs: &[Input],
) -> impl Iterator<Item = &'a [(usize, T)]> {
    let most = rayon::current_num_threads() * 16;
    let sizes: Vec<u64> = reads
        .iter()
        .map(|(source, _)| inputs.get(*source).map_or(0, Input::size))
        .collect();
    let mut rest = (reads, sizes);
    std::iter::from_fn(move || {
        let (reads, sizes) = &mut rest;
        if reads.is_empty() {
            return None;
        }
        let mut bytes = 0;
        let count = sizes
            .iter()
            .take(most)
            .take_while(|size| {
                let fits = bytes == 0 || bytes + **size <= AT_ONCE_BYTES;
                bytes += **size;
                fits
            })
            .count()
            .max(1);
        sizes.drain(..count.min(sizes.len()));
        let (now, later) = reads.split_at(count.min(reads.len()));
        *reads = later;
        Some(now)
    })
}
