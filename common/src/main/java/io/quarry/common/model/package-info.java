/**
 * The parts of a repository: images, volumes, fixes and their states, as records and sealed
 * families that check themselves. Pure data: no I/O, no clock, no randomness.
 */
@NullMarked
package io.quarry.common.model;

import org.jspecify.annotations.NullMarked;
