/**
 * A commit log on a device that many hosts write to, without compare-and-write: each host writes
 * only blocks of its own.
 */
@NullMarked
package io.quarry.agent.storage.block;

import org.jspecify.annotations.NullMarked;
