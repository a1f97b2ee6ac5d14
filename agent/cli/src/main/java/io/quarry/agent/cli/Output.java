package io.quarry.agent.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.quarry.common.api.Json;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.function.Supplier;

/** Answers go to standard output, as JSON or as text; remarks go to standard error. */
public final class Output {
  /** The format of answers. */
  enum Format {
    table,
    json
  }

  private final PrintWriter out;
  private final PrintWriter err;
  private final Format format;

  Output(PrintWriter out, PrintWriter err, Format format) {
    this.out = out;
    this.err = err;
    this.format = format;
  }

  public void print(Object answer, Supplier<? extends Object> text) {
    switch (format) {
      case json -> out.println(json(answer));
      case table -> out.print(withNewline(text.get().toString()));
    }
    out.flush();
  }

  /** Prints one answer of many, while more are to come. */
  void line(Object answer, String text) {
    out.println(format == Format.json ? compact(answer) : text);
    out.flush();
  }

  /**
   * Prints text that a user should have even after stopping the wait; JSON comes in one piece at
   * the end.
   */
  public void early(String text) {
    if (format == Format.table) {
      out.println(text);
      out.flush();
    }
  }

  /** Prints a note that is not the answer. */
  public void remark(String line) {
    err.println(line);
    err.flush();
  }

  public PrintWriter err() {
    return err;
  }

  static String json(Object answer) {
    try {
      return Json.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(answer);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String compact(Object answer) {
    try {
      return Json.MAPPER.writeValueAsString(answer);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String withNewline(String text) {
    return text.isEmpty() || text.endsWith("\n") ? text : text + "\n";
  }
}
