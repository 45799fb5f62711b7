//! Series that are looked up once: tables of counters indexed by label, and constructors that register.

use crate::labels::Label;
use prometheus::core::Collector;
use prometheus::{
    Counter, Gauge, GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};
use std::marker::PhantomData;

/// One counter for each value of one label.
pub(crate) struct Row<A> {
    cells: Box<[IntCounter]>,
    label: PhantomData<A>,
}

impl<A: Label> Row<A> {
    pub(crate) fn new(registry: &Registry, name: &str, help: &str, label: &str) -> Self {
        let family = counters(registry, name, help, &[label]);
        let cells = A::ALL.iter().map(|a| sure(family.get_metric_with_label_values(&[a.as_str()]))).collect();
        Self { cells, label: PhantomData }
    }

    pub(crate) fn inc(&self, a: A) {
        self.inc_by(a, 1);
    }

    pub(crate) fn inc_by(&self, a: A, n: u64) {
        if let Some(cell) = self.cells.get(a.index()) {
            cell.inc_by(n);
        }
    }
}

/// One counter for each combination of two labels.
pub(crate) struct Table<A, B> {
    cells: Box<[IntCounter]>,
    labels: PhantomData<(A, B)>,
}

impl<A: Label, B: Label> Table<A, B> {
    pub(crate) fn new(registry: &Registry, name: &str, help: &str, labels: [&str; 2]) -> Self {
        let family = counters(registry, name, help, &labels);
        let pairs = A::ALL.iter().flat_map(|a| B::ALL.iter().map(move |b| [a.as_str(), b.as_str()]));
        let cells = pairs.map(|values| sure(family.get_metric_with_label_values(&values))).collect();
        Self { cells, labels: PhantomData }
    }

    pub(crate) fn inc(&self, a: A, b: B) {
        if let Some(cell) = self.cells.get(a.index() * B::ALL.len() + b.index()) {
            cell.inc();
        }
    }
}

/// One counter for each combination of three labels.
pub(crate) struct Cube<A, B, C> {
    cells: Box<[IntCounter]>,
    labels: PhantomData<(A, B, C)>,
}

impl<A: Label, B: Label, C: Label> Cube<A, B, C> {
    pub(crate) fn new(registry: &Registry, name: &str, help: &str, labels: [&str; 3]) -> Self {
        let family = counters(registry, name, help, &labels);
        let mut cells = Vec::with_capacity(A::ALL.len() * B::ALL.len() * C::ALL.len());
        for a in A::ALL {
            for b in B::ALL {
                for c in C::ALL {
                    let values = [a.as_str(), b.as_str(), c.as_str()];
                    cells.push(sure(family.get_metric_with_label_values(&values)));
                }
            }
        }
        Self { cells: cells.into(), labels: PhantomData }
    }

    pub(crate) fn inc(&self, a: A, b: B, c: C) {
        let place = (a.index() * B::ALL.len() + b.index()) * C::ALL.len() + c.index();
        if let Some(cell) = self.cells.get(place) {
            cell.inc();
        }
    }
}

/// Registers a counter without labels.
pub(crate) fn counter(registry: &Registry, name: &str, help: &str) -> IntCounter {
    register(registry, IntCounter::new(name, help))
}

/// Registers a counter of fractions, such as seconds.
pub(crate) fn fraction_counter(registry: &Registry, name: &str, help: &str) -> Counter {
    register(registry, Counter::new(name, help))
}

/// Registers a family of counters.
pub(crate) fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    register(registry, IntCounterVec::new(Opts::new(name, help), labels))
}

/// Registers a gauge of whole numbers.
pub(crate) fn gauge(registry: &Registry, name: &str, help: &str) -> IntGauge {
    register(registry, IntGauge::new(name, help))
}

/// Registers a gauge of fractions.
pub(crate) fn fraction_gauge(registry: &Registry, name: &str, help: &str) -> Gauge {
    register(registry, Gauge::new(name, help))
}

/// Registers a family of gauges of fractions.
pub(crate) fn fraction_gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
    register(registry, GaugeVec::new(Opts::new(name, help), labels))
}

/// Registers a family of gauges.
pub(crate) fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    register(registry, IntGaugeVec::new(Opts::new(name, help), labels))
}

/// Registers a histogram with these upper bounds.
pub(crate) fn histogram(registry: &Registry, name: &str, help: &str, bounds: &[f64]) -> Histogram {
    register(registry, Histogram::with_opts(HistogramOpts::new(name, help).buckets(bounds.to_vec())))
}

/// A series of a family whose labels are right by construction.
pub(crate) fn sure<T>(made: prometheus::Result<T>) -> T {
    made.unwrap_or_else(|fault| {
        unreachable!("names, labels and bounds are constants that the first test of this crate registers: {fault}")
    })
}

fn register<T: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<T>) -> T {
    let metric = sure(made);
    sure(registry.register(Box::new(metric.clone())));
    metric
}
