/**
 * A simulated filesystem that several hosts share: what is in the page cache and what is durable
 * are two things, and a seed decides what goes wrong. The code under test uses it through {@link
 * java.nio.file.Path} and does not know.
 */
@NullMarked
package io.quarry.coordinator.simfs;

import org.jspecify.annotations.NullMarked;
