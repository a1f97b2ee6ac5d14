/** Where tests make a whole process pause. */
@NullMarked
package io.quarry.coordinator.fault;

import org.jspecify.annotations.NullMarked;
