/** The demo on one machine: make disks, kill agents, compare every byte. */
@NullMarked
package io.quarry.agent.demo;

import org.jspecify.annotations.NullMarked;
