package io.quarry.coordinator.log;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Feature;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Finds out whether this program understands all features of a log. */
final class FeatureCheck {
  private FeatureCheck() {}

  /** Called before a change is applied. */
  static void require(Change change, String file) throws LogTooNewException {
    if (change instanceof Change.PutFeature put && !put.feature().understood()) {
      throw new LogTooNewException(file, List.of(put.feature()));
    }
  }

  /**
   * A record may begin a feature and use it. The record's checksum is right. So an unreadable part
   * is no damage if the record names a feature that this program lacks.
   */
  static void requireOf(byte[] unreadable, String file) throws LogTooNewException {
    List<Feature> missing = new ArrayList<>();
    try {
      for (JsonNode entry : Codec.MAPPER.readTree(unreadable).path("entries")) {
        for (JsonNode change : entry.path("changes")) {
          if (change.path("change").asText().equals(Change.PUT_FEATURE)) {
            JsonNode feature = change.path("feature");
            missing.add(
                new Feature(feature.path("name").asText(), feature.path("required").asBoolean()));
          }
        }
      }
    } catch (IOException e) {
      return; // Text that is no JSON at all is damage.
    }
    missing.removeIf(Feature::understood);
    if (!missing.isEmpty()) {
      throw new LogTooNewException(file, missing);
    }
  }
}
