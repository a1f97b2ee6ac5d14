package io.quarry.coordinator.cluster;

/** A cluster's name for itself. */
record ClusterRecord(String id) {}
