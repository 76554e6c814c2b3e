//! Boxes in rows, arrows between them.
//!
//! Every frame is laid out by itself: its boxes and inner frames are in rows, each below all that it reads; an arrow
//! that passes a row runs on a rail at the right. Everything is centered on a vertical axis through the frame's middle.

use super::picture::{Kind, Picture};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The width of four letters, in pixels: monospace at a size of 12.
const FOUR_LETTERS: i64 = 29;
const LINE: i64 = 16;
/// Letters of one line, at most.
const LONGEST_LINE: usize = 64;
/// Between two rows, and between two boxes in a row.
const ROW_GAP: i64 = 28;
const BOX_GAP: i64 = 20;
/// Between two rails.
const RAIL_GAP: i64 = 12;
const FRAME: i64 = 14;

/// A box or a frame: how far it reaches from its axis, and its height.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    left: i64,
    right: i64,
    height: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Point {
    x: i64,
    y: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Node(usize),
    Group(usize),
}

/// An arrow between two things of one frame; `edge` is its place in the list of the picture.
struct Arrow {
    from: usize,
    to: usize,
    edge: usize,
}

/// Where an arrow leaves the rows, in its frame: the rail, where it begins and where it ends.
#[derive(Clone, Copy, Debug)]
struct Rail {
    x: i64,
    top: i64,
    bottom: i64,
}

#[derive(Default)]
struct Frame {
    extent: Extent,
    /// Its things: the point at the top of each one's axis, relative to the frame's.
    places: Vec<(Item, Point)>,
    rails: BTreeMap<usize, Rail>,
}

struct Drawing<'p> {
    picture: &'p Picture,
    frames: Vec<Frame>,
    boxes: Vec<Extent>,
    /// Where everything is placed: the top of its axis.
    nodes: Vec<Point>,
    groups: Vec<Point>,
}

pub(super) fn draw(picture: &Picture) -> String {
    let mut frames: Vec<Frame> = picture.groups.iter().map(|_| Frame::default()).collect();
    let boxes: Vec<Extent> = picture.nodes.iter().map(size).collect();
    // An inner frame comes after the one that contains it.
    let arrows = by_frame(picture);
    for (group, arrows) in arrows.iter().enumerate().rev() {
        frames[group] = frame(picture, group, arrows, &frames, &boxes);
    }
    let mut drawing = Drawing {
        picture,
        nodes: vec![Point::default(); boxes.len()],
        groups: vec![Point::default(); frames.len()],
        frames,
        boxes,
    };
    let whole = drawing
        .frames
        .first()
        .map_or(Extent::default(), |f| f.extent);
    let origin = Point {
        x: whole.left + 1,
        y: 1,
    };
    drawing.place(0, origin);
    let (width, height) = (whole.left + whole.right + 2, whole.height + 2);
    let mut text = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' \
         style='max-width:100%;height:auto' font-family='monospace' font-size='12' text-anchor='middle' \
         fill='currentColor' role='img' aria-label='The graph of {}'>\n",
        markup(&picture.name)
    );
    drawing.frames(&mut text);
    drawing.arrows(&arrows, &mut text);
    drawing.boxes(&mut text);
    text += "</svg>";
    text
}

/// The arrows of each frame, between its own things: an arrow into an inner frame ends at that one.
fn by_frame(picture: &Picture) -> Vec<Vec<Arrow>> {
    let mut around = vec![0; picture.nodes.len()];
    let mut item = BTreeMap::new();
    for (index, group) in picture.groups.iter().enumerate() {
        for (place, item_of) in items(group).into_iter().enumerate() {
            if let Item::Node(node) = item_of {
                around[node] = index;
            }
            item.insert(item_of, place);
        }
    }
    let depth = |mut group: usize| {
        let mut depth = 0;
        while group > 0 {
            group = picture.groups[group].parent;
            depth += 1;
        }
        depth
    };
    let mut all: Vec<Vec<Arrow>> = picture.groups.iter().map(|_| Vec::new()).collect();
    for (edge, &(from, to)) in picture.edges.iter().enumerate() {
        let mut ends = [from, to].map(|node| (Item::Node(node), around[node]));
        while ends[0].1 != ends[1].1 {
            let deeper = usize::from(depth(ends[1].1) > depth(ends[0].1));
            let group = ends[deeper].1;
            ends[deeper] = (Item::Group(group), picture.groups[group].parent);
        }
        if let (Some(&from), Some(&to)) = (item.get(&ends[0].0), item.get(&ends[1].0)) {
            all[ends[0].1].push(Arrow { from, to, edge });
        }
    }
    all
}

/// The boxes and inner frames of a frame, in the order of the model.
fn items(group: &super::picture::Group) -> Vec<Item> {
    let mut all: Vec<Item> = group.nodes.iter().copied().map(Item::Node).collect();
    all.extend(group.groups.iter().copied().map(Item::Group));
    all
}

fn width(text: &str) -> i64 {
    // Letters of other scripts may be twice as wide.
    let letters = text
        .chars()
        .map(|letter| if letter.is_ascii() { 1 } else { 2 });
    letters.sum::<i64>() * FOUR_LETTERS / 4
}

fn size(node: &super::picture::Node) -> Extent {
    let round = |radius| Extent {
        left: radius,
        right: radius,
        height: 2 * radius,
    };
    match node.kind {
        Kind::Split => round(4),
        Kind::Sum => round(10),
        Kind::Box => {
            let lines = node.lines();
            let widest = lines.iter().map(|line| width(&short(line))).max();
            let half = widest.unwrap_or(0) / 2 + 10;
            Extent {
                left: half,
                right: half,
                height: i64::try_from(lines.len()).unwrap_or(0) * LINE + 10,
            }
        }
    }
}

fn short(line: &str) -> String {
    if line.chars().count() <= LONGEST_LINE {
        return line.to_owned();
    }
    let mut text: String = line.chars().take(LONGEST_LINE - 2).collect();
    text += "..";
    text
}

/// The row of each thing: below all that it reads; what reads nothing directly above its reader.
fn rows(count: usize, arrows: &[Arrow], order: &[usize]) -> Vec<usize> {
    let mut row = vec![0_usize; count];
    let mut reads = vec![false; count];
    for &item in order {
        for arrow in arrows.iter().filter(|arrow| arrow.to == item) {
            row[item] = row[item].max(row[arrow.from] + 1);
            reads[item] = true;
        }
    }
    for item in (0..count).filter(|item| !reads[*item]) {
        let readers = arrows.iter().filter(|arrow| arrow.from == item);
        if let Some(first) = readers.map(|arrow| row[arrow.to]).min() {
            row[item] = first.saturating_sub(1);
        }
    }
    row
}

fn frame(
    picture: &Picture,
    group: usize,
    arrows: &[Arrow],
    frames: &[Frame],
    boxes: &[Extent],
) -> Frame {
    let items = items(&picture.groups[group]);
    let extents: Vec<Extent> = items
        .iter()
        .map(|item| match *item {
            Item::Node(node) => boxes[node],
            Item::Group(group) => frames[group].extent,
        })
        .collect();
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|&item| first_node(picture, items[item]));
    let row = rows(items.len(), arrows, &order);
    let mut rows_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &item in &order {
        rows_of.entry(row[item]).or_default().push(item);
    }
    let inner = group > 0;
    let mut y = if inner { FRAME + LINE } else { 0 };
    let mut places = vec![Point::default(); items.len()];
    let mut tops: BTreeMap<usize, (i64, i64)> = BTreeMap::new();
    let (mut left, mut right) = (0, 0);
    for (index, members) in &rows_of {
        let wide: i64 = members
            .iter()
            .map(|&item| extents[item].left + extents[item].right + BOX_GAP)
            .sum::<i64>()
            - BOX_GAP;
        let high = members.iter().map(|&item| extents[item].height).max();
        let high = high.unwrap_or(0);
        // One thing is on the axis; several share the space around it.
        let mut x = match members.as_slice() {
            [one] => -extents[*one].left,
            _ => -wide / 2,
        };
        left = left.max(-x);
        for &item in members {
            places[item] = Point {
                x: x + extents[item].left,
                y: y + (high - extents[item].height) / 2,
            };
            x += extents[item].left + extents[item].right + BOX_GAP;
        }
        right = right.max(x - BOX_GAP);
        tops.insert(*index, (y, y + high));
        y += high + ROW_GAP;
    }
    let (rails, right) = rails(arrows, &row, &tops, &rows_of, &places, &extents, right);
    let mut extent = Extent {
        left,
        right,
        height: (y - ROW_GAP).max(0),
    };
    if inner {
        let label = width(&short(&picture.groups[group].label)) / 2;
        extent = Extent {
            left: left.max(label) + FRAME,
            right: right.max(label) + FRAME,
            height: extent.height + FRAME,
        };
    }
    Frame {
        extent,
        places: items.into_iter().zip(places).collect(),
        rails,
    }
}

fn first_node(picture: &Picture, item: Item) -> usize {
    match item {
        Item::Node(node) => node,
        Item::Group(group) => {
            let group = &picture.groups[group];
            let inside = group
                .groups
                .iter()
                .map(|inner| first_node(picture, Item::Group(*inner)));
            group
                .nodes
                .first()
                .copied()
                .into_iter()
                .chain(inside)
                .min()
                .unwrap_or(usize::MAX)
        }
    }
}

/// A rail for each value that passes rows, the short ones inside; and how far they reach.
fn rails(
    arrows: &[Arrow],
    row: &[usize],
    tops: &BTreeMap<usize, (i64, i64)>,
    rows_of: &BTreeMap<usize, Vec<usize>>,
    places: &[Point],
    extents: &[Extent],
    right: i64,
) -> (BTreeMap<usize, Rail>, i64) {
    // All arrows of one value share its rail.
    let mut spans: BTreeMap<usize, usize> = BTreeMap::new();
    for arrow in arrows
        .iter()
        .filter(|arrow| row[arrow.to] > row[arrow.from] + 1)
    {
        let last = spans.entry(arrow.from).or_insert(0);
        *last = (*last).max(row[arrow.to] - 1);
    }
    let mut spans: Vec<(usize, usize, usize)> = spans
        .into_iter()
        .map(|(from, last)| (from, row[from] + 1, last))
        .collect();
    spans.sort_by_key(|(from, first, last)| (last - first, *first, *from));
    let mut used: Vec<(usize, usize, i64)> = Vec::new();
    let mut reach = right;
    let mut of: BTreeMap<usize, i64> = BTreeMap::new();
    for (from, first, last) in spans {
        let edge = rows_of.range(first..=last).flat_map(|(_, items)| items);
        let right = edge.map(|&item| places[item].x + extents[item].right).max();
        let right = right.unwrap_or(0) + RAIL_GAP + 2;
        let crossed = used
            .iter()
            .filter(|(other, end, _)| *other <= last && first <= *end)
            .map(|(_, _, x)| x + RAIL_GAP)
            .max();
        let x = right.max(crossed.unwrap_or(right));
        used.push((first, last, x));
        reach = reach.max(x + RAIL_GAP);
        of.insert(from, x);
    }
    let mut rails = BTreeMap::new();
    for arrow in arrows
        .iter()
        .filter(|arrow| row[arrow.to] > row[arrow.from] + 1)
    {
        let ends = (
            tops.get(&(row[arrow.from] + 1)),
            tops.get(&(row[arrow.to] - 1)),
        );
        if let (Some(&x), (Some((top, _)), Some((_, bottom)))) = (of.get(&arrow.from), ends) {
            let (top, bottom) = (*top, *bottom);
            rails.insert(arrow.edge, Rail { x, top, bottom });
        }
    }
    (rails, reach)
}

impl Drawing<'_> {
    /// From places in frames to places on the page.
    fn place(&mut self, group: usize, at: Point) {
        self.groups[group] = at;
        for (item, place) in std::mem::take(&mut self.frames[group].places) {
            let at = Point {
                x: at.x + place.x,
                y: at.y + place.y,
            };
            match item {
                Item::Node(node) => self.nodes[node] = at,
                Item::Group(group) => self.place(group, at),
            }
        }
    }

    fn frames(&self, text: &mut String) {
        for (index, group) in self.picture.groups.iter().enumerate().skip(1) {
            let (Point { x, y }, extent) = (self.groups[index], self.frames[index].extent);
            let (wide, left) = (extent.left + extent.right, x - extent.left);
            let _ = writeln!(
                text,
                "<rect x='{left}' y='{y}' width='{wide}' height='{}' rx='8' fill-opacity='.04' stroke='currentColor' \
                 stroke-opacity='.5' stroke-dasharray='5 4'/>\n<text x='{}' y='{}'>{}</text>",
                extent.height,
                left + wide / 2,
                y + LINE,
                markup(&short(&group.label))
            );
        }
    }

    fn arrows(&self, arrows: &[Vec<Arrow>], text: &mut String) {
        if self.picture.edges.is_empty() {
            return;
        }
        *text += "<path fill='none' stroke='currentColor' stroke-opacity='.7' d='";
        for (group, arrows) in arrows.iter().enumerate() {
            for arrow in arrows {
                let (from, to) = self.picture.edges[arrow.edge];
                let rail = self.frames[group].rails.get(&arrow.edge);
                let around = self.groups[group];
                self.arrow(
                    from,
                    to,
                    rail.map(|rail| rail.in_frame(around)),
                    group,
                    text,
                );
            }
        }
        *text += "'/>\n";
    }

    /// One arrow: out of its frames, along its rail, into the frames of its end.
    fn arrow(&self, from: usize, to: usize, rail: Option<Rail>, group: usize, text: &mut String) {
        let (start, end) = (self.nodes[from], self.nodes[to]);
        let bottom = start.y + self.boxes[from].height;
        let _ = write!(text, "M{} {bottom}", start.x);
        // Through the frames at both ends it runs straight down.
        let left = self.around(from, group);
        let leaves = left.last().map_or(bottom, |group| {
            self.groups[*group].y + self.frames[*group].extent.height
        });
        let entered = self.around(to, group);
        let enters = entered.last().map_or(end.y, |group| self.groups[*group].y);
        if leaves != bottom {
            let _ = write!(text, "V{leaves}");
        }
        let mut at = Point {
            x: start.x,
            y: leaves,
        };
        if let Some(rail) = rail {
            at.curve(rail.x, rail.top, text);
            let _ = write!(text, "V{}", rail.bottom);
            at.y = rail.bottom;
        }
        at.curve(end.x, enters, text);
        for group in entered.iter().rev() {
            // Its label goes here.
            let top = self.groups[*group].y;
            let _ = write!(text, "V{top}M{} {}", end.x, top + LINE + 6);
        }
        if enters != end.y {
            let _ = write!(text, "V{}", end.y);
        }
        if self.picture.nodes[to].kind != Kind::Split {
            let _ = write!(text, "m-4 -6l4 6l4 -6");
        }
    }

    /// The frames around a node that are inside of frame `inside`, the innermost first.
    fn around(&self, node: usize, inside: usize) -> Vec<usize> {
        let groups = &self.picture.groups;
        let mut at = groups.iter().position(|group| group.nodes.contains(&node));
        let mut found = Vec::new();
        while let Some(group) = at.filter(|group| *group != inside && *group > 0) {
            found.push(group);
            at = Some(groups[group].parent);
        }
        found
    }

    fn boxes(&self, text: &mut String) {
        let nodes = self.picture.nodes.iter().zip(&self.nodes);
        *text += "<g fill-opacity='.06' stroke='currentColor'>";
        for ((node, at), extent) in nodes.zip(&self.boxes) {
            if node.kind == Kind::Box {
                let _ = write!(
                    text,
                    "<rect x='{}' y='{}' width='{}' height='{}' rx='4'/>",
                    at.x - extent.left,
                    at.y,
                    extent.left + extent.right,
                    extent.height
                );
            }
        }
        *text += "</g>\n";
        for (node, at) in self.picture.nodes.iter().zip(&self.nodes) {
            let (x, y) = (at.x, at.y);
            match node.kind {
                Kind::Split => {
                    let _ = writeln!(text, "<circle cx='{x}' cy='{}' r='4'/>", y + 4);
                }
                Kind::Sum => {
                    let _ = writeln!(
                        text,
                        "<circle cx='{x}' cy='{}' r='10' fill='none' stroke='currentColor'/><text x='{x}' y='{}'>+</text>",
                        y + 10,
                        y + 14
                    );
                }
                Kind::Box => Self::lines(node, *at, text),
            }
        }
    }

    fn lines(node: &super::picture::Node, at: Point, text: &mut String) {
        *text += "<text>";
        let mut y = at.y + 4;
        let mut line = |words: &str, look: &str| {
            y += LINE;
            let words = markup(&short(words));
            let _ = write!(
                text,
                "<tspan x='{}' y='{}'{look}>{words}</tspan>",
                at.x,
                y - 3
            );
        };
        if !node.title.is_empty() {
            line(&node.title, " font-weight='bold'");
        }
        for (words, training) in &node.operations {
            line(
                words,
                if *training {
                    " font-style='italic'"
                } else {
                    ""
                },
            );
        }
        if !node.shape.is_empty() {
            line(&node.shape, " fill-opacity='.7'");
        }
        *text += "</text>\n";
    }
}

impl Rail {
    fn in_frame(self, around: Point) -> Self {
        Self {
            x: self.x + around.x,
            top: self.top + around.y,
            bottom: self.bottom + around.y,
        }
    }
}

impl Point {
    /// To another place, up and down at both ends.
    fn curve(&mut self, x: i64, y: i64, text: &mut String) {
        if x == self.x {
            let _ = write!(text, "V{y}");
        } else {
            let half = i64::midpoint(self.y, y);
            let _ = write!(text, "C{} {half} {x} {half} {x} {y}", self.x);
        }
        *self = Self { x, y };
    }
}

/// Text, escaped for markup.
fn markup(text: &str) -> String {
    let mut safe = String::new();
    for letter in text.chars() {
        match letter {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '\'' => safe += "&#39;",
            '"' => safe += "&quot;",
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                safe.push(' ');
            }
            letter => safe.push(letter),
        }
    }
    safe
}
