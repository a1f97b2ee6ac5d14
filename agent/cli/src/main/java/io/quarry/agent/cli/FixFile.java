package io.quarry.agent.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.common.api.Fix;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads fixes as {@code check} printed them: a whole report, a list, or one fix. */
final class FixFile {
  private static final String STANDARD_INPUT = "-";
  private static final int BYTES_MAX = 16 << 20;

  private FixFile() {}

  static List<Fix> read(String file, InputStream standardInput) {
    JsonNode root = tree(file, standardInput);
    JsonNode fixes = root.has("fixes") ? root.get("fixes") : root;
    List<Fix> found = new ArrayList<>();
    try {
      for (JsonNode each : fixes.isArray() ? fixes : List.of(fixes)) {
        if (!each.has("type") || !each.has("data")) {
          throw invalid(file, "it has no type or no data");
        }
        found.add(Json.MAPPER.treeToValue(each, Fix.class));
      }
    } catch (JsonProcessingException e) {
      throw invalid(file, e.getOriginalMessage());
    }
    return found;
  }

  private static JsonNode tree(String file, InputStream standardInput) {
    try (InputStream in =
        file.equals(STANDARD_INPUT) ? standardInput : Files.newInputStream(Path.of(file))) {
      return Json.MAPPER.readTree(in.readNBytes(BYTES_MAX));
    } catch (JsonProcessingException e) {
      throw invalid(file, e.getOriginalMessage());
    } catch (IOException e) {
      throw StorageException.invalid(
          file, "the file cannot be read: " + e, "Give a file that can be read, or -.");
    }
  }

  private static StorageException invalid(String file, String why) {
    return StorageException.invalid(
        file, "this is not a fix: " + why, "Give what quarry check -o json printed, unchanged.");
  }
}
