package io.quarry.coordinator.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Json;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** A story as {@link Script}s, one for each repository. */
final class StoryScripts {
  private static final JsonMapper MAPPER =
      Json.MAPPER.rebuild().disable(JsonWriteFeature.QUOTE_FIELD_NAMES).build();

  private StoryScripts() {}

  /** Renders the story up to its failure, if it fails. */
  static String of(Story story) {
    World world = new World();
    String end = "";
    try {
      story.play(world);
    } catch (RuntimeException | AssertionError e) {
      end = "# Here: " + String.valueOf(e.getMessage()).replace("\n", "\n# ") + "\n";
    }
    StringBuilder text = new StringBuilder("story of seed " + story.seed() + "\n");
    for (Place place : world.places()) {
      List<String> lines = script(place, world.told());
      if (!lines.isEmpty()) {
        text.append("# The repository '").append(place.key).append("'.\n");
        text.append(String.join("\n", lines)).append('\n').append(end);
      }
    }
    return text.toString();
  }

  private static List<String> script(Place place, List<World.Told> told) {
    List<String> lines = new ArrayList<>();
    Instant time = World.BEGIN;
    for (World.Told one : told) {
      if (one.place() != place) {
        continue;
      }
      if (one.request() == null) {
        lines.add("# " + one.what());
        continue;
      }
      if (!one.time().equals(time)) {
        time = one.time();
        lines.add("@ " + time);
      }
      if (one.makesIds()) {
        lines.add("@ " + one.commit());
      }
      lines.add("> " + one.request().operation() + " " + fields(one.request()));
    }
    return lines;
  }

  private static String fields(Request request) {
    ObjectNode fields = MAPPER.valueToTree(request);
    fields.remove("operation");
    try {
      return MAPPER.writeValueAsString(fields).replace('"', '\'');
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(request + " cannot be written as JSON", e);
    }
  }
}
