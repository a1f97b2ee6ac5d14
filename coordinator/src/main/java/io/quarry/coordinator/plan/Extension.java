package io.quarry.coordinator.plan;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * What an optional feature says of an image or a volume. An agent that does not know the feature
 * keeps it, and drops it together with its subject.
 *
 * @param subjectId of the image or volume that it belongs to
 */
public record Extension(String feature, String subjectId, JsonNode value) {}
