/**
 * Repository formats, found by name: how a kind of storage holds volumes and slots, and how it is
 * probed.
 */
@NullMarked
package io.quarry.agent.storage;

import org.jspecify.annotations.NullMarked;
