package io.quarry.coordinator.plan;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Data of an optional feature about an image or a volume. An agent that does not know the feature
 * keeps the data, and drops the data together with the subject.
 *
 * @param subjectId the image or volume
 */
public record Extension(String feature, String subjectId, JsonNode value) {}
