/**
 * What simulations are made of: actors that take turns in an order that a seed decides, and a
 * filesystem that several hosts share, where what is in the page cache and what is durable are two
 * things and a seed decides what goes wrong. The code under test uses it through {@link
 * java.nio.file.Path} and does not know.
 */
@NullMarked
package io.quarry.coordinator.sim;

import org.jspecify.annotations.NullMarked;
