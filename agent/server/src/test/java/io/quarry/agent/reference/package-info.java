/** The page about the HTTP API, made from the OpenAPI file. */
@NullMarked
package io.quarry.agent.reference;

import org.jspecify.annotations.NullMarked;
