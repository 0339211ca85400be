//! Inputs are read on all threads, and what is made of them is handed on in
//! the inputs' order, as soon as those before it were.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Packed bytes that a thread may be ahead of the input whose turn it is: what
/// is made of them waits in memory.
const AHEAD_BYTES: u64 = 1 << 20;

/// Inputs that a thread may be ahead.
const AHEAD: usize = 16;

/// Has all threads `make` something of each item, and one of them at a time
/// `take` what was made, in the items' order. `sizes` are the items' packed
/// bytes: how far the threads run ahead depends on them.
///
/// Each of rayon's threads goes along the line once. If they stole items from
/// each other, one could begin with an item in the midst of another's, and wait
/// there for its own turn.
///
/// # Errors
/// The first of `take`; what comes after it is not taken.
pub(super) fn in_order<T: Sync, M: Send, E: Send>(
    items: &[T],
    sizes: &[u64],
    make: impl Fn(&T) -> M + Sync,
    take: impl FnMut(&T, M) -> Result<(), E> + Send,
) -> Result<(), E> {
    let threads = rayon::current_num_threads().min(items.len());
    let line = Line {
        items,
        sizes,
        most_bytes: AHEAD_BYTES * threads as u64,
        most: AHEAD * threads,
        state: Mutex::new(State {
            begun: 0,
            taken: 0,
            bytes: 0,
            made: BTreeMap::new(),
            is_taking: false,
            is_over: false,
        }),
        moved: Condvar::new(),
    };
    let taker = Mutex::new((take, Ok(())));
    let work = || {
        let _end = EndOfPanic(&line);
        while let Some((index, item)) = line.begin() {
            line.hand_in(index, make(item), |item, made| {
                let (take, result) = &mut *lock(&taker);
                *result = take(item, made);
                result.is_ok()
            });
        }
    };
    match threads {
        0 | 1 => work(),
        _ => drop(rayon::broadcast(|_| work())),
    }
    let (_, result) = taker.into_inner().unwrap_or_else(PoisonError::into_inner);
    result
}

/// The items in a line.
struct Line<'a, T, M> {
    items: &'a [T],
    sizes: &'a [u64],
    most_bytes: u64,
    most: usize,
    state: Mutex<State<M>>,
    moved: Condvar,
}

/// How far the line is.
struct State<M> {
    /// Items that a thread began with.
    begun: usize,
    /// Items that were taken.
    taken: usize,
    /// Bytes of the items between.
    bytes: u64,
    /// What was made and waits for its turn.
    made: BTreeMap<usize, M>,
    /// Whether a thread takes what was made.
    is_taking: bool,
    /// Whether nothing more is to be done: something failed.
    is_over: bool,
}

impl<'a, T, M> Line<'a, T, M> {
    /// The next item, once there is room for it.
    fn begin(&self) -> Option<(usize, &'a T)> {
        let mut state = lock(&self.state);
        loop {
            let index = state.begun;
            let item = self.items.get(index).filter(|_| !state.is_over)?;
            let bytes = state.bytes.saturating_add(self.size(index));
            let ahead = index - state.taken;
            if ahead == 0 || (ahead < self.most && bytes <= self.most_bytes) {
                state.begun += 1;
                state.bytes = bytes;
                return Some((index, item));
            }
            let woken = self.moved.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Puts what was made in its place, and has all be taken whose turn it
    /// is, unless another thread does.
    fn hand_in(&self, index: usize, made: M, mut take: impl FnMut(&T, M) -> bool) {
        let mut state = lock(&self.state);
        state.made.insert(index, made);
        if state.is_taking {
            return;
        }
        state.is_taking = true;
        loop {
            let index = state.taken;
            let next = state.made.remove(&index).filter(|_| !state.is_over);
            let (Some(item), Some(made)) = (self.items.get(index), next) else {
                break;
            };
            drop(state);
            let is_taken = take(item, made);
            state = lock(&self.state);
            state.taken += 1;
            state.bytes = state.bytes.saturating_sub(self.size(index));
            state.is_over |= !is_taken;
            self.moved.notify_all();
        }
        state.is_taking = false;
    }

    fn size(&self, index: usize) -> u64 {
        self.sizes.get(index).copied().unwrap_or(0)
    }
}

/// Lets no thread wait for one that panicked.
struct EndOfPanic<'l, 'a, T, M>(&'l Line<'a, T, M>);

impl<T, M> Drop for EndOfPanic<'_, '_, T, M> {
    fn drop(&mut self) {
        if thread::panicking() {
            lock(&self.0.state).is_over = true;
            self.0.moved.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::*;

    fn sizes(count: usize, bytes: u64) -> Vec<u64> {
        vec![bytes; count]
    }

    fn pool<R: Send>(threads: usize, run: impl FnOnce() -> R + Send) -> R {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(run)
    }

    #[test]
    fn all_are_taken_in_their_order() {
        for threads in [1, 2, 7] {
            let items: Vec<u64> = (0..500).collect();
            let mut taken = Vec::new();
            let make = |item: &u64| {
                // The later are often ready first.
                thread::sleep(Duration::from_micros(item * 7919 % 300));
                item * 2
            };
            let take = |item: &u64, made: u64| {
                taken.push((*item, made));
                Ok::<(), ()>(())
            };
            pool(threads, || {
                in_order(&items, &sizes(500, 100_000), make, take)
            })
            .unwrap();
            let expected: Vec<(u64, u64)> = items.iter().map(|item| (*item, item * 2)).collect();
            assert_eq!(taken, expected, "{threads} threads");
        }
    }

    #[test]
    fn no_thread_runs_further_ahead_than_there_is_room() {
        let (made, taken) = (AtomicU64::new(0), AtomicU64::new(0));
        let items: Vec<u64> = (0..200).collect();
        let make = |item: &u64| {
            if item.is_multiple_of(10) {
                thread::sleep(Duration::from_millis(2));
            }
            let ahead = made.fetch_add(1, Ordering::SeqCst) - taken.load(Ordering::SeqCst);
            assert!(ahead <= 8, "{ahead} wait");
        };
        let take = |_: &u64, ()| {
            taken.fetch_add(1, Ordering::SeqCst);
            Ok::<(), ()>(())
        };
        let half = AHEAD_BYTES / 2;
        pool(4, || in_order(&items, &sizes(200, half), make, take)).unwrap();
        assert_eq!(taken.into_inner(), 200);
    }

    #[test]
    fn an_item_larger_than_all_room_is_read_alone() {
        let mut taken = 0;
        let take = |_: &u8, ()| {
            taken += 1;
            Ok::<(), ()>(())
        };
        let huge = sizes(20, u64::MAX);
        pool(4, || in_order(&[0_u8; 20], &huge, |_| (), take)).unwrap();
        assert_eq!(taken, 20);
    }

    #[test]
    fn after_an_error_nothing_is_taken() {
        let mut taken = 0;
        let take = |item: &u64, ()| {
            taken += 1;
            if *item == 30 { Err(*item) } else { Ok(()) }
        };
        let items: Vec<u64> = (0..1000).collect();
        let result = pool(4, || in_order(&items, &sizes(1000, 1), |_| (), take));
        assert_eq!((result, taken), (Err(30), 31));
    }

    #[test]
    #[should_panic(expected = "a fault")]
    fn a_panic_ends_all_threads() {
        let make = |item: &u64| assert!(*item != 3, "a fault");
        let items: Vec<u64> = (0..1000).collect();
        let _ = pool(4, || {
            in_order(&items, &sizes(1000, AHEAD_BYTES), make, |_, ()| {
                Ok::<(), ()>(())
            })
        });
    }
}
