/** Agents, managers and ZooKeeper dying in the middle of work. */
@NullMarked
package io.quarry.it.failover;

import org.jspecify.annotations.NullMarked;
