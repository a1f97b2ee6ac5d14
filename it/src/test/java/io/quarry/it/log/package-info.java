/** SDMs without agents that commit to one log, the logs they commit to, and their judge. */
@NullMarked
package io.quarry.it.log;

import org.jspecify.annotations.NullMarked;
