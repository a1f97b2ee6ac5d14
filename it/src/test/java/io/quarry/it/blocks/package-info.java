/** The log on a disk that virtual machines share, in the lab. */
@NullMarked
package io.quarry.it.blocks;

import org.jspecify.annotations.NullMarked;
