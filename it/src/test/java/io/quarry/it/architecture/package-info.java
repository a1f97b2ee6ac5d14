/** The rules of the architecture, checked against the compiled classes. */
@NullMarked
package io.quarry.it.architecture;

import org.jspecify.annotations.NullMarked;
