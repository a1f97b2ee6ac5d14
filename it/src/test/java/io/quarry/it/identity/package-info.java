/** A repository is recognized by the data on its storage: copies and stale mounts are refused. */
@NullMarked
package io.quarry.it.identity;

import org.jspecify.annotations.NullMarked;
