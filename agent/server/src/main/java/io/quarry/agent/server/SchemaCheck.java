package io.quarry.agent.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UserData;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The contract's rule for one value, compiled from its schema. A refusal names the field and says
 * in plain words which values are allowed.
 */
sealed interface SchemaCheck {
  int QUOTED_CHARS_MAX = 80;

  /** Checks a JSON value; {@code name} is the caller's name for the value. */
  void check(JsonNode value, String name);

  /** Checks a value that came as text, in the path, the query or a header. */
  void checkText(String value, String name);

  /** Completes "Give it as …". */
  String describe();

  /** Text: its length, its form, and the allowed words, if they are listed. */
  record Text(int charsMin, int charsMax, @Nullable Pattern pattern, List<String> words)
      implements SchemaCheck {
    public Text {
      words = List.copyOf(words);
    }

    @Override
    public void check(JsonNode value, String name) {
      if (!value.isTextual()) {
        throw refused(name, quoted(value) + " and must be text");
      }
      checkText(value.textValue(), name);
    }

    @Override
    public void checkText(String value, String name) {
      if (!words.isEmpty()) {
        if (!words.contains(value)) {
          throw refused(name, quoted(value) + " and must be " + String.join(" or ", words));
        }
      } else if (value.length() < charsMin && charsMin == 1) {
        throw refused(name, "empty");
      } else if (value.length() < charsMin || value.length() > charsMax) {
        String limits = "must have " + charsMin + " to " + charsMax + " characters";
        throw refused(name, value.length() + " characters long and " + limits);
      } else if (pattern != null && !pattern.matcher(value).matches()) {
        throw refused(name, quoted(value) + " and must look like " + pattern.pattern());
      }
    }

    @Override
    public String describe() {
      if (!words.isEmpty()) {
        return String.join(" or ", words);
      }
      return pattern == null ? "text" : "text like " + pattern.pattern();
    }
  }

  /** A whole number, limits included. */
  record Whole(long min, long max, long multipleOf) implements SchemaCheck {
    private static final Pattern DIGITS = Pattern.compile("-?[0-9]{1,40}");

    @Override
    public void check(JsonNode value, String name) {
      if (!value.isNumber()) {
        throw refused(name, quoted(value) + " and must be a whole number");
      }
      if (value.isIntegralNumber() && value.canConvertToLong()) {
        check(value.longValue(), name);
      } else {
        check(value.decimalValue(), name);
      }
    }

    @Override
    public void checkText(String value, String name) {
      if (!DIGITS.matcher(value).matches()) {
        throw refused(name, quoted(value) + " and must be a whole number");
      }
      check(new BigDecimal(value), name);
    }

    private void check(BigDecimal value, String name) {
      // The range is checked first: turning 1e999999999 into digits would take for ever.
      if (value.compareTo(BigDecimal.valueOf(min)) < 0) {
        throw refused(name, quoted(value.toString()) + " and must be at least " + min);
      }
      if (value.compareTo(BigDecimal.valueOf(max)) > 0) {
        throw refused(name, quoted(value.toString()) + " and must be at most " + max);
      }
      if (value.signum() != 0 && value.stripTrailingZeros().scale() > 0) {
        throw refused(name, quoted(value.toString()) + " and must be a whole number");
      }
      check(value.longValue(), name);
    }

    private void check(long value, String name) {
      if (value < min) {
        throw refused(name, value + " and must be at least " + min);
      }
      if (value > max) {
        throw refused(name, value + " and must be at most " + max);
      }
      if (value % multipleOf != 0) {
        throw refused(name, value + " and must be a multiple of " + multipleOf);
      }
    }

    @Override
    public String describe() {
      String limit = max == Long.MAX_VALUE ? ", at least " + min : " from " + min + " to " + max;
      return "a whole number" + limit + (multipleOf > 1 ? ", a multiple of " + multipleOf : "");
    }
  }

  /** True or false. */
  record Flag() implements SchemaCheck {
    @Override
    public void check(JsonNode value, String name) {
      if (!value.isBoolean()) {
        throw refused(name, quoted(value) + " and must be true or false");
      }
    }

    @Override
    public void checkText(String value, String name) {
      if (!value.equals("true") && !value.equals("false")) {
        throw refused(name, quoted(value) + " and must be true or false");
      }
    }

    @Override
    public String describe() {
      return "true or false";
    }
  }

  /** A list. */
  record Items(SchemaCheck item, int min, int max) implements SchemaCheck {
    @Override
    public void check(JsonNode value, String name) {
      if (!(value instanceof ArrayNode list)) {
        throw refused(name, quoted(value) + " and must be a list");
      }
      if (list.size() < min || list.size() > max) {
        throw refused(
            name, "a list of " + list.size() + " and must have " + min + " to " + max + " entries");
      }
      for (int i = 0; i < list.size(); i++) {
        item.check(list.get(i), name + "[" + i + "]");
      }
    }

    @Override
    public void checkText(String value, String name) {
      throw refused(name, "a list, which only a JSON body can hold");
    }

    @Override
    public String describe() {
      return "a list, each entry " + item.describe();
    }
  }

  /**
   * An object.
   *
   * @param others the rule for fields that are not named; null refuses such fields
   * @param defaults values of fields that are left out
   * @param bytesMax limit of the object as JSON text, for callers' own data; 0 for other objects
   */
  record Fields(
      Map<String, SchemaCheck> named,
      Set<String> required,
      @Nullable SchemaCheck others,
      int fieldsMax,
      Map<String, JsonNode> defaults,
      int bytesMax)
      implements SchemaCheck {

    @Override
    public void check(JsonNode value, String name) {
      if (!(value instanceof ObjectNode object)) {
        throw refused(name, quoted(value) + " and must be a JSON object");
      }
      String prefix = name.equals(Contract.BODY) ? "" : name + ".";
      for (Map.Entry<String, JsonNode> field : object.properties()) {
        SchemaCheck shape = named.get(field.getKey());
        if (shape == null) {
          shape = others;
        }
        if (shape == null) {
          throw unknown(prefix + field.getKey());
        }
        shape.check(field.getValue(), prefix + field.getKey());
      }
      for (String field : required) {
        if (!object.has(field)) {
          throw missing(prefix + field);
        }
      }
      if (object.size() > fieldsMax) {
        throw refused(name, "an object of more than " + fieldsMax + " fields");
      }
      if (bytesMax > 0 && JsonText.bytes(object) > bytesMax) {
        throw refused(name, "larger than " + bytesMax + " bytes of JSON text");
      }
      if (bytesMax > 0) {
        UserData.check(object);
      }
    }

    /** Adds the defaults of fields that were left out, in place. */
    void fillIn(ObjectNode object) {
      defaults.forEach((field, value) -> {
        if (!object.has(field)) {
          object.set(field, value.deepCopy());
        }
      });
      named.forEach((field, shape) -> {
        if (shape instanceof Fields fields && object.get(field) instanceof ObjectNode inner) {
          fields.fillIn(inner);
        }
      });
    }

    private StorageException missing(String field) {
      SchemaCheck shape = named.get(field.substring(field.lastIndexOf('.') + 1));
      String form = shape == null ? "" : " as " + shape.describe();
      return StorageException.invalid(field, field + " is missing.", "Give " + field + form + ".");
    }

    private StorageException unknown(String field) {
      String known = named.keySet().stream().sorted().collect(Collectors.joining(", "));
      return StorageException.invalid(
          shortened(field),
          "There is no field " + shortened(field) + " here.",
          known.isEmpty() ? "Leave it out; none are defined." : "Leave it out; known are " + known);
    }

    @Override
    public void checkText(String value, String name) {
      throw refused(name, "an object, which only a JSON body can hold");
    }

    @Override
    public String describe() {
      return "a JSON object";
    }
  }

  /** Any value: the caller owns the content of userData. */
  record Anything() implements SchemaCheck {
    @Override
    public void check(JsonNode value, String name) {}

    @Override
    public void checkText(String value, String name) {}

    @Override
    public String describe() {
      return "any JSON value";
    }
  }

  /** Names the field, the problem, and the allowed values. */
  default StorageException refused(String name, String problem) {
    return StorageException.invalid(
        name, name + " is " + problem + ".", "Give " + name + " as " + describe() + ".");
  }

  private static String quoted(JsonNode value) {
    if (value instanceof ObjectNode) {
      return "an object";
    }
    return value instanceof ArrayNode ? "a list" : shortened(value.toString());
  }

  private static String quoted(String value) {
    return "\"" + shortened(value) + "\"";
  }

  /** The value in a form fit for a message: no control characters, and not longer than a line. */
  static String shortened(String value) {
    String printable = value.replaceAll("\\p{Cntrl}", "?");
    return printable.length() <= QUOTED_CHARS_MAX
        ? printable
        : printable.substring(0, QUOTED_CHARS_MAX) + "…";
  }
}
