//! Maximum flow on a compressed residual graph, kept for further augmentation.
//!
//! Dinic's algorithm (*Algorithm for solution of a problem of maximum flow in networks with power estimation*, 1970): rounds of
//! one breadth-first labelling and one blocking flow. Each edge is two arcs, one each way. The arcs of a node lie side by side, and
//! heads, twins and residual capacities are arrays of their own, so that most of a round reads nothing but heads, in order.
//! O(V²·E) in general; on networks of supply and demand, whose paths are short, a handful of rounds of O(E). Nothing recurses:
//! paths of any length fit the heap.
//!
//! A [`Flow`] stays valid when capacities are raised: [`Flow::augment`] goes on from the present flow, and never takes anything
//! back from an edge into the sink or out of the source.
//!
//! ```
//! use attelage_solver::flow::Network;
//!
//! let mut network = Network::default();
//! let [source, a, b, sink] = [(); 4].map(|()| network.node());
//! network.edge(source, a, 5);
//! let middle = network.edge(a, b, 3);
//! network.edge(b, sink, 9);
//! let mut flow = network.build();
//! assert_eq!(flow.augment(source, sink), 3);
//! assert_eq!(flow.reached(source), [true, true, false, false]); // The minimum cut: only `middle` crosses it.
//! flow.raise(middle, 10);
//! assert_eq!(flow.augment(source, sink), 2);
//! assert_eq!(flow.on(middle), 5);
//! ```

pub(crate) mod supply;

/// A node of a network, by number.
pub type Node = u32;

/// An edge of a network, in the order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge(u32);

/// A directed network under construction. Parallel edges are allowed. At most 2³¹ edges and 2³² nodes.
#[derive(Clone, Debug, Default)]
pub struct Network {
    nodes: u32,
    edges: Vec<(Node, Node, u64)>,
}

impl Network {
    /// Adds a node.
    pub fn node(&mut self) -> Node {
        self.nodes += 1;
        self.nodes - 1
    }

    /// Adds an edge between nodes of this network.
    #[allow(clippy::cast_possible_truncation)]
    pub fn edge(&mut self, from: Node, to: Node, capacity: u64) -> Edge {
        self.edges.push((from, to, capacity));
        Edge(self.edges.len() as u32 - 1)
    }

    /// Lays the arcs out node by node, without flow. O(V + E).
    ///
    /// # Panics
    /// If an edge has an end that is no node of this network.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn build(&self) -> Flow {
        let mut first = vec![0_u32; self.nodes as usize + 1];
        for &(from, to, _) in &self.edges {
            first[from as usize + 1] += 1;
            first[to as usize + 1] += 1;
        }
        for v in 1..first.len() {
            first[v] += first[v - 1];
        }
        let mut free = first.clone();
        let mut take = |v: Node| {
            free[v as usize] += 1;
            free[v as usize] - 1
        };
        let arcs = 2 * self.edges.len();
        let (mut head, mut twin, mut residual) = (vec![0; arcs], vec![0; arcs], vec![0; arcs]);
        let mut arc_of = Vec::with_capacity(self.edges.len());
        for &(from, to, capacity) in &self.edges {
            let (there, back) = (take(from), take(to));
            (head[there as usize], twin[there as usize], residual[there as usize]) = (to, back, capacity);
            (head[back as usize], twin[back as usize]) = (from, there);
            arc_of.push(there);
        }
        Flow {
            next: first.clone(),
            first,
            head,
            twin,
            residual,
            arc_of,
            level: vec![UNSEEN; self.nodes as usize],
            queue: Vec::with_capacity(self.nodes as usize),
            path: Vec::new(),
        }
    }
}

/// The level of a node that is out of reach.
const UNSEEN: u32 = u32::MAX;

/// A network with a flow, at first of nothing.
#[derive(Clone, Debug)]
pub struct Flow {
    /// First arc of each node, and the number of arcs.
    first: Vec<u32>,
    /// By arc, where it leads.
    head: Vec<Node>,
    /// By arc, the same edge the other way.
    twin: Vec<u32>,
    /// By arc, what can still be sent this way.
    residual: Vec<u64>,
    /// The forward arc of each edge.
    arc_of: Vec<u32>,
    level: Vec<u32>,
    /// By node, the first arc that may still lead on in this round.
    next: Vec<u32>,
    queue: Vec<Node>,
    path: Vec<u32>,
}

impl Flow {
    /// Sends as much more as possible from the source to the sink; how much more it is.
    pub fn augment(&mut self, source: Node, sink: Node) -> u128 {
        let mut sent = 0;
        while source != sink && self.label(source, sink) {
            sent += self.block(source, sink);
        }
        sent
    }

    /// What flows through an edge.
    #[must_use]
    pub fn on(&self, edge: Edge) -> u64 {
        self.residual[self.twin[self.arc_of[edge.0 as usize] as usize] as usize]
    }

    /// What more an edge could carry.
    #[must_use]
    pub fn room(&self, edge: Edge) -> u64 {
        self.residual[self.arc_of[edge.0 as usize] as usize]
    }

    /// Raises the capacity of an edge; the flow stays. Capacities end at 2⁶⁴ − 1.
    pub fn raise(&mut self, edge: Edge, by: u64) {
        let most = u64::MAX - self.on(edge);
        let residual = &mut self.residual[self.arc_of[edge.0 as usize] as usize];
        *residual = residual.saturating_add(by).min(most);
    }

    /// Lowers the capacity of an edge to what flows through it.
    pub fn close(&mut self, edge: Edge) {
        self.residual[self.arc_of[edge.0 as usize] as usize] = 0;
    }

    /// By node, whether more could be sent to it from `source`. After [`Flow::augment`], the edges from nodes that are reached to
    /// nodes that are not are a minimum cut. O(V + E).
    #[must_use]
    pub fn reached(&self, source: Node) -> Vec<bool> {
        self.spread(source, |a| self.residual[a])
    }

    /// By node, whether more could be sent from it to `sink`. O(V + E).
    #[must_use]
    pub fn reaching(&self, sink: Node) -> Vec<bool> {
        self.spread(sink, |a| self.residual[self.twin[a] as usize])
    }

    fn spread(&self, start: Node, open: impl Fn(usize) -> u64) -> Vec<bool> {
        let mut seen = vec![false; self.level.len()];
        seen[start as usize] = true;
        let mut stack = vec![start];
        while let Some(v) = stack.pop() {
            for a in self.range(v) {
                let head = self.head[a];
                if !seen[head as usize] && open(a) > 0 {
                    seen[head as usize] = true;
                    stack.push(head);
                }
            }
        }
        seen
    }

    fn range(&self, v: Node) -> std::ops::Range<usize> {
        self.first[v as usize] as usize..self.first[v as usize + 1] as usize
    }

    /// Numbers the nodes by their distance to the sink in the residual graph, as far as the source; whether it is reached. Labels
    /// that count from the sink keep the search for paths out of dead ends.
    fn label(&mut self, source: Node, sink: Node) -> bool {
        self.level.fill(UNSEEN);
        self.level[sink as usize] = 0;
        self.queue.clear();
        self.queue.push(sink);
        let mut at = 0;
        while let Some(&v) = self.queue.get(at) {
            at += 1;
            let level = self.level[v as usize] + 1;
            if level > self.level[source as usize] {
                break; // Only nodes nearer than the source lie on a shortest path.
            }
            let range = self.range(v);
            for (&head, &twin) in self.head[range.clone()].iter().zip(&self.twin[range]) {
                // The label first: it is at hand, the twin is far away in memory.
                if self.level[head as usize] == UNSEEN && self.residual[twin as usize] > 0 {
                    self.level[head as usize] = level;
                    self.queue.push(head);
                }
            }
        }
        self.next.copy_from_slice(&self.first);
        self.level[source as usize] != UNSEEN
    }

    /// Saturates every shortest path of the present labels; what was sent.
    fn block(&mut self, source: Node, sink: Node) -> u128 {
        let mut sent = 0;
        let mut v = source;
        self.path.clear();
        loop {
            if v == sink {
                sent += u128::from(self.push());
                v = self.retreat_to_saturated();
                continue;
            }
            let (end, level) = (self.first[v as usize + 1], self.level[v as usize].wrapping_sub(1));
            let mut a = self.next[v as usize];
            while a < end {
                if self.level[self.head[a as usize] as usize] == level && self.residual[a as usize] > 0 {
                    break;
                }
                a += 1;
            }
            self.next[v as usize] = a;
            if a < end {
                self.path.push(a);
                v = self.head[a as usize];
            } else {
                // A dead end: nobody comes here again in this round.
                self.level[v as usize] = UNSEEN;
                let Some(back) = self.path.pop() else { return sent };
                v = self.tail(back);
                self.next[v as usize] += 1;
            }
        }
    }

    /// Sends along the path what its narrowest arc can carry.
    fn push(&mut self) -> u64 {
        let narrowest = self.path.iter().map(|&a| self.residual[a as usize]).min().unwrap_or(0);
        for &a in &self.path {
            self.residual[a as usize] -= narrowest;
            self.residual[self.twin[a as usize] as usize] += narrowest;
        }
        narrowest
    }

    /// Cuts the path before its first saturated arc; the node where it now ends.
    fn retreat_to_saturated(&mut self) -> Node {
        let full = self.path.iter().position(|&a| self.residual[a as usize] == 0).unwrap_or(0);
        let end = self.tail(self.path[full]);
        self.path.truncate(full);
        end
    }

    fn tail(&self, a: u32) -> Node {
        self.head[self.twin[a as usize] as usize]
    }
}

#[cfg(test)]
mod tests;
