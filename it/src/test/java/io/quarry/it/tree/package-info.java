/** A large family of images, made and removed by the command line. */
@NullMarked
package io.quarry.it.tree;

import org.jspecify.annotations.NullMarked;
