/** Frozen files stay frozen: real QEMUs, and agents that are not root. */
@NullMarked
package io.quarry.it.frozen;

import org.jspecify.annotations.NullMarked;
