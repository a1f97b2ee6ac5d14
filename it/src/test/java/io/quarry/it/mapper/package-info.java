/** The device mapper of a real kernel, in the lab's machines. */
@NullMarked
package io.quarry.it.mapper;

import org.jspecify.annotations.NullMarked;
