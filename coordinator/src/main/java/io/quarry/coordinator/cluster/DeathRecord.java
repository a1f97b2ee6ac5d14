package io.quarry.coordinator.cluster;

import java.time.Instant;

/**
 * Content of a proof of death: {@code by} vouches that this incarnation and its children are gone.
 */
record DeathRecord(String hostId, String incarnation, String by, Instant at) {}
