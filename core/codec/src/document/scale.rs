//! Pictures of black and white made larger or smaller.

/// A picture of another size. What is made smaller is black where two fifths of what lay there were: thin lines stay.
pub(super) fn scaled((width, rows): (u32, &[Vec<u8>]), (to_width, to_height): (u32, u32)) -> Vec<Vec<u8>> {
    let height = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let mut black = vec![0_u32; usize::try_from(width).unwrap_or(0)];
    (0..to_height)
        .map(|y| {
            let (from, to) = span(y, to_height, height);
            black.fill(0);
            let (first, last) = (usize::try_from(from).unwrap_or(0), usize::try_from(to).unwrap_or(0));
            for row in rows.get(first..last).unwrap_or_default() {
                count(row, &mut black);
            }
            row_of(&black, (width, to_width), to - from)
        })
        .collect()
}

/// What lies under place `n` of `of` where there are `all`: at least one.
fn span(n: u32, of: u32, all: u32) -> (u32, u32) {
    let at = |n: u32| u32::try_from(u64::from(n) * u64::from(all) / u64::from(of.max(1))).unwrap_or(all);
    let from = at(n).min(all.saturating_sub(1));
    (from, at(n.saturating_add(1)).clamp(from + 1, all.max(from + 1)))
}

/// Adds the black pixels of a row to those of their columns.
fn count(row: &[u8], black: &mut [u32]) {
    for (byte, columns) in row.iter().zip(black.chunks_mut(8)) {
        if *byte != 0 {
            for (bit, column) in columns.iter_mut().enumerate() {
                *column += u32::from(*byte >> (7 - bit) & 1);
            }
        }
    }
}

fn row_of(black: &[u32], (width, to_width): (u32, u32), rows: u32) -> Vec<u8> {
    let is_black = |x: u32| {
        let (from, to) = span(x, to_width, width);
        let (first, last) = (usize::try_from(from).unwrap_or(0), usize::try_from(to).unwrap_or(0));
        let sum: u64 = black.get(first..last).unwrap_or_default().iter().copied().map(u64::from).sum();
        sum > 0 && sum * 5 >= u64::from(to - from) * u64::from(rows) * 2
    };
    let byte =
        |n: u32| (0..8).fold(0, |byte, bit| byte << 1 | u8::from(n * 8 + bit < to_width && is_black(n * 8 + bit)));
    (0..to_width.div_ceil(8)).map(byte).collect()
}
