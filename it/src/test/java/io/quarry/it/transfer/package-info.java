/** Uploads and downloads of images over HTTP. */
@NullMarked
package io.quarry.it.transfer;

import org.jspecify.annotations.NullMarked;
