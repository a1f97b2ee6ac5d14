/** The guardian with real processes and real signals. */
@NullMarked
package io.quarry.it.guardian;

import org.jspecify.annotations.NullMarked;
