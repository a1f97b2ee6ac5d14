/**
 * The parts of simulations: actors that take turns in an order that a seed decides, and a
 * filesystem that several hosts share. The filesystem keeps its page cache apart from durable data,
 * and a seed decides its faults. The code under test uses it through {@link java.nio.file.Path} and
 * does not know.
 */
@NullMarked
package io.quarry.coordinator.sim;

import org.jspecify.annotations.NullMarked;
