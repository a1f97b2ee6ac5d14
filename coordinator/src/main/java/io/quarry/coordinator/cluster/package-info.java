/**
 * The only package of the coordinator that knows ZooKeeper: paths with their codecs, election, the
 * fix queue, claims, and the registry of hosts.
 */
@NullMarked
package io.quarry.coordinator.cluster;

import org.jspecify.annotations.NullMarked;
