/**
 * Decisions: a state and a request become changes and a reply. Pure code, one file per operation.
 */
@NullMarked
package io.quarry.coordinator.plan;

import org.jspecify.annotations.NullMarked;
