/** The backend process: answers the editor over the channel it was forked with. */
