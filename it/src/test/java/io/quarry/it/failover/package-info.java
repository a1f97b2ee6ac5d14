/** Agents, SDMs and ZooKeeper that die during work. */
@NullMarked
package io.quarry.it.failover;

import org.jspecify.annotations.NullMarked;
