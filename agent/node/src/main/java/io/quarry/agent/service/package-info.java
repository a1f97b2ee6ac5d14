/** The storage API as this agent serves it. */
@NullMarked
package io.quarry.agent.service;

import org.jspecify.annotations.NullMarked;
