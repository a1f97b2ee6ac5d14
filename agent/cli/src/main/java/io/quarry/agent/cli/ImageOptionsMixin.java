package io.quarry.agent.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.Json;
import io.quarry.common.model.Strategy;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options of all commands that make images. */
final class ImageOptionsMixin {
  @Option(
      names = "--strategy",
      paramLabel = "STRATEGY",
      converter = Labels.OfStrategy.class,
      description = "Where there are two ways: space (default) or performance.")
  private Strategy strategy = Strategy.SPACE;

  @Option(names = "--no-auto-fix", description = "Only commit; the data work waits for quarry fix.")
  private boolean noAutoFix;

  @Option(
      names = "--among",
      split = ",",
      paramLabel = "REPO",
      description = "Look for existing images in these repositories only.")
  private @Nullable List<String> among;

  @Option(
      names = "--hint",
      paramLabel = "IMAGE=REPO",
      description = "Look for this image in this repository only. Repeatable.")
  private Map<String, String> hints = new LinkedHashMap<>();

  @Option(
      names = "--user-data",
      paramLabel = "JSON",
      converter = UserData.class,
      description = "A JSON object to keep with the image.")
  private ObjectNode userData = JsonNodeFactory.instance.objectNode();

  ImageOptions options() {
    return new ImageOptions(!noAutoFix, strategy, among, hints);
  }

  ObjectNode userData() {
    return userData;
  }

  boolean autoFix() {
    return !noAutoFix;
  }

  static final class UserData implements ITypeConverter<ObjectNode> {
    @Override
    public ObjectNode convert(String text) {
      try {
        if (Json.MAPPER.readTree(text) instanceof ObjectNode object) {
          return object;
        }
      } catch (JsonProcessingException e) {
        // Falls through: both mistakes get one answer.
      }
      throw new TypeConversionException(
          "'" + text + "' is not a JSON object such as {\"name\":\"web\"}");
    }
  }
}
