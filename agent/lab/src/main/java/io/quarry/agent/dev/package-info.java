/** A cluster on one machine for trying things out, with its own ZooKeeper. */
@NullMarked
package io.quarry.agent.dev;

import org.jspecify.annotations.NullMarked;
