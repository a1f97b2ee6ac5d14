/** A cluster on one machine for experiments, with its own ZooKeeper. */
@NullMarked
package io.quarry.agent.dev;

import org.jspecify.annotations.NullMarked;
